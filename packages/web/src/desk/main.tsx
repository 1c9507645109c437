import { mount } from '../page/mount.tsx';
import { DeskPage } from './desk-page.tsx';

mount(<DeskPage />);
