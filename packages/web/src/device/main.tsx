import { mount } from '../page/mount.tsx';
import { DevicePage } from './device-page.tsx';

mount(<DevicePage />);
